"""copydesk: takes news text in, strips what is not the story, and loses nothing on the way to Postgres."""


def __getattr__(name: str) -> str:
    """`__version__`, read when it is asked for: that takes longer than all else that a health check does."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("copydesk")
