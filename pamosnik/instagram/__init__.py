"""Meta's side of the wire: what it sends (`webhook`), what it allows (`limits`), what it answers (`errors`),
how a message looks to it (`bodies`), and the one HTTP client (`client`, `login`). Only the last two do anything."""
