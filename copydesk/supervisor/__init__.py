"""Keep a list of programs and embedded servers running in the foreground, and leave none of them behind.

For the demo and `copydesk up`. In containers and under systemd, those supervise; nothing here is needed.
"""

from copydesk.supervisor.process import State, Status, Supervised
from copydesk.supervisor.program import Program
from copydesk.supervisor.restarts import RestartPolicy
from copydesk.supervisor.supervisor import Supervisor

__all__ = ["Program", "RestartPolicy", "State", "Status", "Supervised", "Supervisor"]
