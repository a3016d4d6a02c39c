"""The least of a ComfyUI client: upload, run a graph to its end, fetch."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx2

from rushes.domain.graph import bind
from rushes.domain.graph_outputs import NodeOutput, order_outputs
from rushes.domain.inputs import validate_inputs
from rushes.domain.workflow import Workflow


@dataclass
class Run:
    """A finished prompt: its outputs in order, files downloaded."""

    job_id: str
    graph: dict[str, Any]
    outputs: list[NodeOutput]
    texts: list[str] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def file(self) -> bytes:
        """The only file."""
        assert len(self.files) == 1, [name for name, _ in self.files]
        return self.files[0][1]


class Comfy:
    """One server, and what was uploaded to it for the next run."""

    def __init__(self, url: str) -> None:
        self._http = httpx2.Client(base_url=url, timeout=60)

    def close(self) -> None:
        self._http.close()

    def run(self, workflow: Workflow, raw: dict[str, Any], files: dict[str, bytes]) -> Run:
        """Validate, upload, bind, run and fetch; file values of `raw` name keys of `files`."""
        job_id = str(uuid.uuid4())
        inputs = validate_inputs(
            workflow.manifest, raw, random_seed=lambda: uuid.uuid4().int, graph_name="preview.json"
        )
        names = {key: self._upload(job_id, key, content) for key, content in files.items()}
        graph = bind(workflow, "preview.json", inputs, files=names, job_id=job_id)
        outputs = self._finish(job_id, graph)
        run = Run(job_id, graph, order_outputs(workflow.manifest, "preview.json", outputs))
        for one in run.outputs:
            run.texts += outputs[one.node_id].get("text", [])
            for items in outputs[one.node_id].values():
                run.files += [self._fetched(item) for item in items if isinstance(item, dict)]
        return run

    def _upload(self, job_id: str, key: str, content: bytes) -> str:
        answer = self._http.post(
            "/upload/image", files={"image": (key, content)}, data={"subfolder": job_id}
        ).raise_for_status()
        return "/".join(part for part in (answer.json()["subfolder"], answer.json()["name"]) if part)

    def _finish(self, job_id: str, graph: dict[str, Any]) -> dict[str, Any]:
        answer = self._http.post("/prompt", json={"prompt": graph, "prompt_id": job_id, "client_id": job_id})
        assert answer.status_code == 200, answer.text
        assert not answer.json()["node_errors"], answer.text
        until = time.monotonic() + 60
        while time.monotonic() < until:
            entry = self._http.get(f"/history/{job_id}").json().get(job_id)
            if entry is not None:
                assert entry["status"]["status_str"] == "success", entry["status"]
                return dict(entry["outputs"])
            time.sleep(0.05)
        raise AssertionError("the prompt did not end within 60 s")

    def _fetched(self, item: dict[str, Any]) -> tuple[str, bytes]:
        params = {key: item[key] for key in ("filename", "subfolder", "type")}
        name = "/".join([item["subfolder"], item["filename"]])
        return name, self._http.get("/view", params=params).raise_for_status().content


def given(key: str, content_type: str, **more: Any) -> dict[str, Any]:
    """A resolved file value, as submission makes it."""
    return {
        "filename": key,
        "key": key,
        "content_type": content_type,
        "size_bytes": 1000,
        "sha256": "0" * 64,
        **more,
    }
