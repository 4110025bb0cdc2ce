"""Audio in and out, by PyAV. Refuses to know what a message is."""
