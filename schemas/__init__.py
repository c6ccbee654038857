"""What do we talk about? The records, commands and messages, without I/O, clock or chance."""
