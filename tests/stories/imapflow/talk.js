// A connection of imapflow for another program: talk.js '{options}' 2>transcript
// In: a line {"id", "call", "args"} for each method to call. Out: {"id", "result"} or {"id", "error"}, and {"event"}.
import readline from "node:readline";
import { ImapFlow } from "imapflow";

const shown = (name, value) => {
  if (value instanceof Set) return [...value];
  if (value instanceof Map) return Object.fromEntries(value);
  if (typeof value === "bigint") return Number(value);
  if (value?.type === "Buffer") return { octets: Buffer.from(value.data).toString("base64") };
  return value;
};
const meant = (name, value) => (value?.octets === undefined ? value : Buffer.from(value.octets, "base64"));
const say = (what) => process.stdout.write(JSON.stringify(what, shown) + "\n");
const note = ({ src, msg, err }) => {
  if (src === "s" || src === "c") process.stderr.write(`${src.toUpperCase()}: ${msg}\n`);
  if (err) process.stderr.write(`!: ${err.stack ?? err}\n`);
};

const logger = { trace: note, debug: note, info: note, warn: note, error: note };
const client = new ImapFlow({ ...JSON.parse(process.argv[2], meant), logger });
for (const event of ["exists", "expunge", "flags", "close"]) {
  client.on(event, (about) => say({ event, about: about ?? null }));
}
client.on("error", (error) => say({ event: "error", about: String(error) }));

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { id, call, args } = JSON.parse(line, meant);
  const asked = call === "about" ? { enabled: client.enabled, mailbox: client.mailbox } : client[call](...args);
  Promise.resolve(asked).then(
    (result) => say({ id, result: result ?? null }),
    (error) => say({ id, error: `${error.message} ${error.responseText ?? ""}` }),
  );
}
