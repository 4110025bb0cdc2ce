"""What is on its way: files being received, the commit that makes them durable, items that wait."""
