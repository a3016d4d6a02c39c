"""What /metrics says, parsed."""

import time
from collections.abc import Callable

import httpx2
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]


class Scrape:
    """`scrape.value("rushes_jobs", status="pending")` adds up all samples with these labels."""

    def __init__(self, text: str) -> None:
        self.families = {one.name: one for one in text_string_to_metric_families(text)}
        self._samples = [sample for one in self.families.values() for sample in one.samples]

    def value(self, name: str, **labels: str) -> float:
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def labels(self, name: str) -> list[dict[str, str]]:
        """The labels of each sample of that name."""
        return [sample.labels for sample in self._samples if sample.name == name]

    def ours(self) -> int:
        """How many series of ours there are."""
        return sum(sample.name.startswith("rushes_") for sample in self._samples)


def scrape(url: str, **headers: str) -> Scrape:
    answer = httpx2.get(f"{url}/metrics", headers=headers, trust_env=False, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return Scrape(answer.text)


def until(url: str, suits: Callable[[Scrape], bool], *, seconds: float = 60) -> Scrape:
    """The first scrape that is as wanted: the database's figures are up to 5 s old."""
    end = time.monotonic() + seconds
    while not suits(seen := scrape(url)):
        assert time.monotonic() < end, f"still not so after {seconds} s"
        time.sleep(0.1)
    return seen
