"""VPIM (RFC 3801): what a voice message from another system holds, and the forms that are written."""
