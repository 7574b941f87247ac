"""Real Valkey and Postgres servers out of Python wheels, for the demo, `copydesk up --embedded` and the tests.

Not for production: no replication, no backups, no passwords. Needs the extra `copydesk[embedded]`.
"""

from copydesk.embedded.postgres import PostgresServer
from copydesk.embedded.valkey import ValkeyServer

__all__ = ["PostgresServer", "ValkeyServer"]
