"""Accounts of the local kind: sign up or claim, sign in and out, passwords, one-time links."""

import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from rushes.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from rushes.domain.principal import Principal
from rushes.ports import Accounts, PasswordHashes, Passwords
from rushes.services.rates import RateGate

log = structlog.get_logger("rushes.account")

SHORTEST, LONGEST = 8, 200  # characters of a password
EMAIL_LIMIT = 254
LINK_SECONDS = 24 * 3600.0
WRONG = "The e-mail address or the password is wrong."
USED = "This link was used already or has expired. Ask for a new one."
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Link:
    """The secret of a one-time link."""

    secret: str
    expires_at: datetime

    def url(self, base: str) -> str:
        """Of the page that sets a password. What stands after the # is sent to no server, so it is in no log."""
        return f"{base.rstrip('/')}/#set-password={self.secret}"


class LocalAccounts:
    """The local kind. What it answers never tells whether an address has an account, but for sign-up."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        passwords: Passwords,
        hashes: PasswordHashes,
        rates: RateGate,
        sign_up_allowed: bool,
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._hashes = hashes
        self._rates = rates
        self.sign_up_allowed = sign_up_allowed

    async def sign_up(
        self, principal: Principal, email: str, password: str, *, address: str | None
    ) -> Principal:
        """Claim the anonymous account, or make a new one. Raises Forbidden, InvalidInput, Conflict, TooManyRequests."""
        if not self.sign_up_allowed:
            raise Forbidden("Nobody can sign up here. Ask an administrator for an account.")
        if principal.user_id is not None and not principal.is_anonymous:
            raise Conflict("You have an account. Sign out to make another one.")
        email, password = tidy_email(email), checked_password(password)
        await self._rates.sign_in(email, address)
        known = await self._hashes.hash(password)
        if principal.user_id is None:
            made = await self._passwords.create(email, known)
            log.info("signed up", user_id=str(made.user_id))
            return made
        await self._passwords.claim(principal.user_id, email, known)
        log.info("account claimed", user_id=str(principal.user_id))
        return Principal(user_id=principal.user_id, email=email)

    async def sign_in(self, email: str, password: str, *, address: str | None) -> Principal:
        """Raises Unauthenticated, with the same words and in the same time whatever is wrong; TooManyRequests."""
        email = unicodedata.normalize("NFKC", email).strip().lower()
        await self._rates.sign_in(email[:EMAIL_LIMIT], address)
        found = await self._passwords.by_email(email) if "\x00" not in email else None
        user_id, known = found or (None, None)
        right = await self._hashes.verify(known, normal_password(password))
        account = await self._accounts.find(user_id) if user_id and right else None
        if account is None or account.disabled or user_id is None or known is None:
            log.info("sign-in refused", address=address)
            raise Unauthenticated(WRONG)
        await self._passwords.signed_in(user_id)
        if self._hashes.is_weak(known):
            anew = await self._hashes.hash(normal_password(password))
            await self._passwords.set_password(user_id, anew, end_sessions=False)
        log.info("signed in", user_id=str(user_id))
        return account.principal

    async def change_password(
        self, principal: Principal, current: str, new: str, *, address: str | None
    ) -> None:
        """All other sessions end. Raises Unauthenticated, InvalidInput, TooManyRequests."""
        if principal.user_id is None:
            raise Unauthenticated("Sign in first.")
        if principal.is_anonymous:
            raise Conflict("This account has no password yet. Sign up to give it one.")
        new = checked_password(new, "new_password")
        await self._rates.sign_in(str(principal.user_id), address)
        known = await self._passwords.password_hash(principal.user_id)
        if not await self._hashes.verify(known, normal_password(current)):
            raise Forbidden("The current password is wrong.")
        await self._passwords.set_password(principal.user_id, await self._hashes.hash(new), end_sessions=True)
        log.info("password changed", user_id=str(principal.user_id))

    async def reset_password(self, secret: str, new: str, *, address: str | None) -> Principal:
        """Set a password by a one-time link. Raises Unauthenticated, InvalidInput, TooManyRequests."""
        new = checked_password(new, "new_password")
        await self._rates.sign_in(None, address)
        known = await self._hashes.hash(new)
        user_id = await self._passwords.take_link(_digest(secret), "password")
        account = await self._accounts.find(user_id) if user_id else None
        if account is None or user_id is None:
            raise Unauthenticated(USED)
        await self._passwords.set_password(user_id, known, end_sessions=True)
        log.info("password reset", user_id=str(user_id))
        return account.principal

    async def password_link(self, user_id: UUID) -> Link:
        """A link by which that person sets a password, once, within a day. Raises NotFound, Conflict."""
        account = await self._accounts.find(user_id)
        if account is None:
            raise NotFound("There is no such account.")
        if account.principal.email is None:
            raise Conflict("The account has no e-mail address, so there is nothing to sign in with.")
        return await self._link(user_id, "password")

    async def sign_in_link(self) -> Link:
        """A link that signs the administrator in, once, within a day."""
        administrator = await self._accounts.administrator()
        assert administrator.user_id is not None
        return await self._link(administrator.user_id, "sign_in")

    async def redeem(self, secret: str) -> Principal:
        """Use a one-time sign-in link. Raises Unauthenticated."""
        user_id = await self._passwords.take_link(_digest(secret), "sign_in")
        account = await self._accounts.find(user_id) if user_id else None
        if account is None or account.disabled:
            raise Unauthenticated(
                "This sign-in link was used already or has expired. Start again for a new one."
            )
        return account.principal

    async def add(self, email: str) -> Principal:
        """A person without a password yet. Raises InvalidInput, Conflict."""
        made = await self._passwords.create(tidy_email(email), None)
        log.info("account made", user_id=str(made.user_id))
        return made

    async def end_session(self, user_id: UUID, session: str, expires_at: datetime) -> None:
        """Sign out here."""
        await self._passwords.end_session(user_id, session, expires_at)

    async def end_sessions(self, user_id: UUID) -> None:
        """Sign out everywhere."""
        await self._passwords.end_sessions(user_id)
        log.info("signed out everywhere", user_id=str(user_id))

    async def _link(self, user_id: UUID, purpose: str) -> Link:
        secret = secrets.token_urlsafe(24)
        return Link(secret, await self._passwords.put_link(_digest(secret), user_id, purpose, LINK_SECONDS))


def tidy_email(email: str) -> str:
    """In the form in which addresses are compared. Raises InvalidInput."""
    tidied = unicodedata.normalize("NFKC", email).strip().lower()
    if len(tidied) > EMAIL_LIMIT or not _EMAIL.fullmatch(tidied):
        raise InvalidInput({"email": "should be an e-mail address, such as anna@example.org"})
    return tidied


def normal_password(password: str) -> str:
    """The same characters, however a keyboard composes them; a password that is too long is cut."""
    return unicodedata.normalize("NFKC", password)[: LONGEST * 4]


def checked_password(password: str, field: str = "password") -> str:
    """Raises InvalidInput."""
    tidied = normal_password(password)
    if not SHORTEST <= len(tidied) <= LONGEST:
        raise InvalidInput({field: f"should have {SHORTEST} to {LONGEST} characters"})
    if len(set(tidied)) < 3:
        raise InvalidInput({field: "is too easy to guess; use several words"})
    return tidied


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
