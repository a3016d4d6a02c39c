"""Who looks at the feed in these tests."""

from uuid import UUID

from rushes.domain.principal import ANON, Principal

ANNA = Principal(user_id=UUID("00000000-0000-4000-8000-00000000000a"))
BERT = Principal(user_id=UUID("00000000-0000-4000-8000-00000000000b"))
GUEST = Principal(user_id=UUID("00000000-0000-4000-8000-00000000000c"), is_anonymous=True)
ADMIN = Principal(user_id=UUID("00000000-0000-4000-8000-00000000000d"), is_admin=True)

PEOPLE = (ANNA, BERT, GUEST, ADMIN)
EVERYBODY = (*PEOPLE, ANON)
NAMES = ("anna", "bert", "guest", "admin", "anon")
