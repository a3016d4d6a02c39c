"""What was answered is on disk: a crash of the database loses nothing that somebody was told."""

import pytest

from tests.integration.claim.yard import Yard

pytestmark = pytest.mark.anyio
WRITE = "UPDATE public.comfy_servers SET last_error = %(text)s RETURNING pg_current_wal_insert_lsn()"


@pytest.mark.parametrize("alone_at_once", [True, False])
async def test_what_is_flushed_afterwards_is_flushed(yard: Yard, alone_at_once: bool) -> None:
    await yard.server()
    for number in range(20):
        written = await yard.database.fetch_then_flush(
            WRITE, {"text": f"word {number}"}, alone_at_once=alone_at_once
        )
        assert written
        flushed = await yard.sql("SELECT pg_current_wal_flush_lsn() > %s::pg_lsn", written[0])
        assert flushed[0][0], "the writer of the log comes by five times a second: too late"
