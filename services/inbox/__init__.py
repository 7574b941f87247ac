"""Watches the inbox: claims complete files, offers them as jobs, and settles them after the commit."""
