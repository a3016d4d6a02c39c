"""The people of these tests, what they own, and statements run as them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import TupleRow

from rushes.domain.principal import ANON, Principal

OWNER = Principal(user_id=UUID(int=1))
STRANGER = Principal(user_id=UUID(int=2))
VISITOR = Principal(user_id=UUID(int=3), is_anonymous=True)
ADMIN = Principal(user_id=UUID(int=4), is_admin=True)

PEOPLE: dict[str, Principal | None] = {
    "anon": ANON,
    "owner": OWNER,
    "stranger": STRANGER,
    "visitor": VISITOR,  # an anonymous sign-in
    "admin": ADMIN,
    "service": None,
}


class Stage:
    """One connection, whose statements run as whom a test says."""

    def __init__(self, connection: psycopg.Connection[TupleRow]) -> None:
        self.connection = connection
        self.jobs: dict[str, UUID] = {}

    @contextmanager
    def acting(self, who: Principal | None) -> Iterator[psycopg.Connection[TupleRow]]:
        """As that person, or as the service role; the role ends with the block, its work stays."""
        role, claims = (who.role, who.claims()) if who else ("service_role", '{"role": "service_role"}')
        with self.connection.transaction():
            self.connection.execute(
                "SELECT set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                (role, claims),
            )
            yield self.connection
            self.connection.execute(
                "SELECT set_config('role', 'none', true), set_config('request.jwt.claims', '', true)"
            )

    def ask(self, who: Principal | None, statement: str, *params: Any) -> list[TupleRow]:
        """The rows of one statement; its effects stay until the test ends."""
        with self.acting(who) as connection:
            cursor = connection.execute(statement, params or None)
            return cursor.fetchall() if cursor.description else []

    def one(self, who: Principal | None, statement: str, *params: Any) -> TupleRow:
        rows = self.ask(who, statement, *params)
        assert len(rows) == 1, rows
        return rows[0]

    def touched(self, who: Principal | None, statement: str, *params: Any) -> int:
        with self.acting(who) as connection:
            return connection.execute(statement, params or None).rowcount

    def new_job(self, owner: Principal, visibility: str = "private", **columns: Any) -> UUID:
        """A pending job, inserted by the service role."""
        job = uuid4()
        values = {
            "id": job, "job_id": str(job), "user_id": owner.user_id, "workflow_type": "img2img",
            "workflow_name": "workflow.json", "visibility": visibility, "comfy_url": None, **columns,
        }  # fmt: skip
        names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        self.ask(None, f"INSERT INTO public.workflow_jobs ({names}) VALUES ({marks})", *values.values())
        return job

    def move(self, job: UUID, status: str) -> None:
        """One step of the status machine, as a dispatcher takes it."""
        self.ask(None, f"UPDATE workflow_jobs SET {STEPS[status]} WHERE id = %s", job)

    def job_in(self, status: str, owner: Principal = OWNER, visibility: str = "private") -> UUID:
        """A job that has come to that status by the allowed moves."""
        job = self.new_job(owner, visibility)
        for step in PATHS[status]:
            self.move(job, step)
        return job

    def furnish(self) -> None:
        """Accounts, a job of each visibility with all that hangs on it, and a row in every other table."""
        for person in (OWNER, STRANGER, VISITOR, ADMIN):
            self.ask(
                None, "INSERT INTO auth.users (id, is_anonymous) VALUES (%s, %s)",
                person.user_id, person.is_anonymous,
            )  # fmt: skip
        for visibility in ("private", "team", "public"):
            self.jobs[visibility] = self._running(visibility)
        self.jobs["trash"] = self.new_job(OWNER, "public")
        self.ask(None, "UPDATE workflow_jobs SET deleted_at = now() WHERE id = %s", self.jobs["trash"])
        with self.acting(None) as connection:
            for statement in OTHER_ROWS:
                connection.execute(statement, {"owner": OWNER.user_id, "job": self.jobs["private"]})

    def _running(self, visibility: str) -> UUID:
        job = self.new_job(OWNER, visibility, user_ip="192.0.2.7", idempotency_key="secret")
        self.move(job, "processing")
        for statement in CHILD_ROWS:
            self.ask(None, statement, job)
        return job


STEPS = {
    "pending": "status = 'pending', comfy_url = NULL",
    "processing": "status = 'processing', attempt = attempt + 1, comfy_url = 'http://gpu:8188'",
    "completed": """status = 'completed', outputs = '{"files": [{"name": "a.png", "key": "k"}]}', result_urls = '["/storage/k"]'""",
    "failed": "status = 'failed', error_code = 'node_error', error_message = 'It broke.'",
    "cancelled": "status = 'cancelled'",
}
PATHS = {
    "pending": (),
    "processing": ("processing",),
    "completed": ("processing", "completed"),
    "failed": ("processing", "failed"),
    "cancelled": ("cancelled",),
}
CHILD_ROWS = (
    "INSERT INTO workflow_job_leases (job_id, lease_token, owner, server_id, expires_at, progress)"
    " VALUES (%s, nextval('workflow_job_lease_tokens'), 'd1', gen_random_uuid(), now(), '{\"value\": 1}')",
    "INSERT INTO workflow_job_attempts (job_id, number, prompt_id, comfy_url) VALUES (%s, 1, 'p', 'http://gpu:8188')",
    "INSERT INTO workflow_prompts (job_id, attempt, prompt_id, graph) VALUES (%s, 1, 'p', '{}')",
)
OTHER_ROWS = (
    "INSERT INTO comfy_servers (url, name) VALUES ('http://gpu:8188', 'gpu')",
    "INSERT INTO workflow_requirements (digest, workflow_type, node_classes) VALUES ('r', 'img2img', '{SaveImage}')",
    "INSERT INTO comfy_node_catalogs (digest, nodes) VALUES ('c', '{}')",
    "INSERT INTO comfy_server_abilities (server_id, requires, able, catalog)"
    " SELECT id, 'r', true, 'c' FROM comfy_servers",
    "INSERT INTO queue_pauses (workflow_type) VALUES ('img2img')",
    "INSERT INTO dispatchers (id, host) VALUES ('d1', 'host')",
    "INSERT INTO uploads (id, user_id, filename, key, size_bytes)"
    " VALUES (gen_random_uuid(), %(owner)s, 'a.png', 'uploads/a.png', 1)",
    "INSERT INTO caption_datasets (id, user_id, name, visibility) VALUES"
    " ('00000000-0000-0000-0000-0000000000d1', %(owner)s, 'mine', 'private'),"
    " ('00000000-0000-0000-0000-0000000000d2', %(owner)s, 'ours', 'team'),"
    " ('00000000-0000-0000-0000-0000000000d3', %(owner)s, 'all', 'public')",
    "INSERT INTO caption_dataset_items (dataset_id, position, image) SELECT id, 1, '{}' FROM caption_datasets",
    "INSERT INTO api_keys (user_id, name, prefix, sha256) VALUES (%(owner)s, 'k', 'rsh_abc', 'hash')",
    "INSERT INTO idempotency (user_id, key, body_sha256, job_id) VALUES (%(owner)s, 'k', 'hash', %(job)s)",
    "INSERT INTO user_limits (user_id, jobs_running) VALUES (%(owner)s, 1)",
    "INSERT INTO rushes.accounts (user_id, password_hash) VALUES (%(owner)s, 'hash')",
    "INSERT INTO rushes.ended_sessions (id, user_id, expires_at) VALUES ('s', %(owner)s, now())",
    "INSERT INTO rushes.account_links (sha256, user_id, purpose, expires_at) VALUES ('h', %(owner)s, 'password', now())",
    "INSERT INTO rushes.rates (key, full_until) VALUES ('k', now())",
    "INSERT INTO rushes.chores (name) VALUES ('retention')",
    "INSERT INTO rushes.removed_jobs (id, job_id, user_id, visibility)"
    " VALUES (0, gen_random_uuid(), %(owner)s, 'public')",
    "INSERT INTO rushes.lost_objects (job_id, key) VALUES (%(job)s, 'k')",
    "INSERT INTO storage_outbox (action, target) VALUES ('delete_keys', '[]')",
    "INSERT INTO rushes_legacy.changes (legacy_table, legacy_id) VALUES ('multitalk_jobs', '1')",
    "INSERT INTO rushes_legacy.progress (step, legacy_table) VALUES ('migrate', 'multitalk_jobs')",
    "INSERT INTO rushes_legacy.log (step, event) VALUES ('migrate', 'started')",
    "INSERT INTO rushes_legacy.owners (legacy_table, legacy_id, user_id) VALUES ('datasets', '1', %(owner)s)",
    "INSERT INTO rushes_legacy.style_prompts (legacy_id, prompt_id) VALUES ('1', 'p')",
    "INSERT INTO rushes_legacy.files (legacy_table, legacy_id, slot, source, state)"
    " VALUES ('datasets', '1', 'video_url', 'x', 'failed')",
    "INSERT INTO rushes_legacy.written (legacy_table, legacy_id) VALUES ('datasets', '1')",
    "INSERT INTO rushes_legacy.claims (legacy_table, legacy_id) VALUES ('datasets', '1')",
    "INSERT INTO rushes_legacy.unsettled (xid, dataset) VALUES ('1', '1')",
)
