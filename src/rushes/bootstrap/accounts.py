"""Accounts, keys and limits of one process: the kinds that the settings name, put together."""

from dataclasses import dataclass

from rushes.adapters.auth.api_keys import ApiKeys
from rushes.adapters.auth.chain import Authenticators
from rushes.adapters.auth.jwks import Jwks
from rushes.adapters.auth.keyfile import session_key
from rushes.adapters.auth.known import KnownAccounts
from rushes.adapters.auth.links import PrintedLinks
from rushes.adapters.auth.local import LocalSessions
from rushes.adapters.auth.passwords import Argon2
from rushes.adapters.auth.supabase import Project, SupabaseTokens
from rushes.adapters.clock import SystemClock
from rushes.adapters.postgres.accounts import PostgresAccounts
from rushes.adapters.postgres.keys import PostgresKeys
from rushes.adapters.postgres.limits import PostgresUseBook
from rushes.adapters.postgres.passwords import PostgresPasswords
from rushes.adapters.postgres.people import PostgresPeople
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.rates import PostgresRates
from rushes.ports import Authenticator, Limits
from rushes.services.accounts import LocalAccounts
from rushes.services.keys import KeyRing
from rushes.services.limits import UsageLimits
from rushes.services.people import PeopleDesk
from rushes.services.rates import RateGate, RateLimits
from rushes.settings import Settings
from rushes.web.entrance import Entrance


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The parts that know people. `local` is None where all accounts are Supabase's."""

    settings: Settings
    accounts: PostgresAccounts
    key_store: PostgresKeys
    keys: KeyRing
    rates: RateGate
    limits: UsageLimits
    local: LocalAccounts | None
    desk: PeopleDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """How people get into a serving process."""

    entrance: Entrance
    sessions: LocalSessions
    printed: PrintedLinks


def people(settings: Settings, database: Database, clock: SystemClock, *, sign_up: bool = False) -> People:
    """Everything about people but their tokens."""
    is_local = "local" in settings.auth_kinds
    accounts = PostgresAccounts(database=database, clock=clock, own_administrator=is_local)
    rates = RateGate(
        rates=PostgresRates(database=database),
        limits=RateLimits(
            submits=settings.limit_submits_per_minute, sign_ins=settings.limit_sign_ins_per_minute
        ),
    )
    local = LocalAccounts(
        accounts=accounts,
        passwords=PostgresPasswords(database=database, clock=clock),
        hashes=Argon2(),
        rates=rates,
        sign_up_allowed=sign_up,
    )
    keys = PostgresKeys(database=database)
    return People(
        settings=settings,
        accounts=accounts,
        key_store=keys,
        keys=KeyRing(keys=keys, clock=clock),
        rates=rates,
        limits=UsageLimits(book=PostgresUseBook(database=database), defaults=usual_limits(settings)),
        local=local if is_local else None,
        desk=PeopleDesk(people=PostgresPeople(database=database), local=local if is_local else None),
    )


def usual_limits(settings: Settings) -> Limits:
    """What each person may use, where nothing else is said."""
    stored = settings.limit_stored_gb
    return Limits(
        jobs_per_day=settings.limit_jobs_per_day,
        jobs_waiting=settings.limit_jobs_waiting,
        jobs_running=settings.limit_jobs_running,
        bytes_stored=None if stored is None else int(stored * 1024**3),
    )


def doors(people: People, clock: SystemClock, *, anonymous_allowed: bool) -> Doors:
    """The kinds of tokens that are taken."""
    settings, known = people.settings, KnownAccounts(people.accounts)
    printed = PrintedLinks()
    sessions = LocalSessions(key=session_key(settings.data_dir / "session.key"), known=known, clock=clock)
    kinds: list[Authenticator] = [ApiKeys(keys=people.key_store)]
    if "supabase" in settings.auth_kinds:
        kinds.append(_supabase(settings, people.accounts, known))
    if people.local is not None:
        kinds.append(sessions)
    entrance = Entrance(
        kinds=settings.auth_kinds,
        authenticator=Authenticators(kinds),
        sessions=sessions,
        local=people.local,
        accounts=people.accounts,
        rates=people.rates,
        printed_link=printed.take,
        forget=known.forget,
        anonymous_allowed=anonymous_allowed and people.local is not None,
        supabase_url=settings.supabase_url if "supabase" in settings.auth_kinds else None,
        public_url=settings.public_url,
    )
    return Doors(entrance=entrance, sessions=sessions, printed=printed)


def _supabase(settings: Settings, accounts: PostgresAccounts, known: KnownAccounts) -> SupabaseTokens:
    assert settings.supabase_url is not None
    secret = settings.supabase_jwt_secret
    project = Project(
        url=settings.supabase_url, jwt_secret=secret.get_secret_value().encode() if secret else None
    )
    return SupabaseTokens(project=project, jwks=Jwks(project.jwks_url), accounts=accounts, known=known)
