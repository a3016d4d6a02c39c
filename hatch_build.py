"""Puts the built page into the wheel, building it first where it isn't."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling gives it no parameters at run time
    """Runs for wheels only; an editable install serves the page from web/dist."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable" or self.target_name != "wheel":
            return
        web = Path(self.root) / "web"
        if not (web / "dist" / "index.html").is_file():
            npm = shutil.which("npm")
            if npm is None:
                raise RuntimeError(
                    "The page is not built and npm is missing: install Node 20, then build again."
                )
            subprocess.run([npm, "ci", "--ignore-scripts"], cwd=web, check=True)
            subprocess.run([npm, "run", "build"], cwd=web, check=True)
        build_data["force_include"][str(web / "dist")] = "rushes/web/static"
