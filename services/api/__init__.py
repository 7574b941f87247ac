"""The HTTP door: takes documents into the spool, tells where they are."""
