"""What an operator reads at /metrics."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


async def figure(client: httpx.AsyncClient, name: str, **labels: str) -> float:
    """The sample with this name and exactly these labels; 0 if nothing was counted so far."""
    answer = (await client.get("/metrics")).raise_for_status()
    # The parser takes its time over the hundreds of lines of the histograms.
    lines = "".join(line for line in answer.text.splitlines(keepends=True) if name in line)
    families = text_string_to_metric_families(lines)
    samples = [sample for family in families for sample in family.samples]
    return next((one.value for one in samples if (one.name, one.labels) == (name, labels)), 0)
