"""The SMTP doors."""
