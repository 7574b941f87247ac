"""Starts the HTTP door: reads the settings, wires, serves."""

from __future__ import annotations

import asyncio
import os
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from copydesk import logs
from copydesk.delivery.vitals import Vitals
from copydesk.liveness.pulse import pulse
from copydesk.settings import Settings, load
from services.api.app import create_app

log = structlog.get_logger(__name__)

BEAT_EVERY_S = 1.0


class Server(uvicorn.Server):
    """Ends open waits as soon as it is told to stop, and ends with status 0."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, settings: Settings) -> None:
        super().__init__(config)
        self._app = app
        self._vitals = Vitals(settings, "api", {"spool": app.state.door.pressure.check})

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The signal is not raised again at the end, as uvicorn does: a stop that was asked for is no failure."""
        self.should_exit = True
        self._app.state.door.waiting.stop()

    async def startup(self, sockets: object = None) -> None:
        """Say when the door is open."""
        await super().startup()
        if self.started:
            self._vitals.start()
            self._beat()
            log.info("http door open", host=self.config.host, port=self.config.port)

    def _beat(self) -> None:
        """The event loop turns; it must be back here soon."""
        pulse.rest(BEAT_EVERY_S)
        asyncio.get_running_loop().call_later(BEAT_EVERY_S, self._beat)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = load(os.environ).of("api")
    logs.set_up(settings, "api")
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=int(settings.soft_stop_s) or 1,
    )
    Server(config, app, settings).run()


if __name__ == "__main__":
    main()
