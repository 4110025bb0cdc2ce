// One message through nodemailer: send.js '{"transport": {...}, "message": {...}}' prints the server's last reply.
import nodemailer from "nodemailer";

const { transport, message } = JSON.parse(process.argv[2]);
const sent = await nodemailer.createTransport(transport).sendMail(message);
console.log(sent.response);
