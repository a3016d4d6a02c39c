"""The rules of retention that the settings say."""

from rushes.domain.retention import RetentionRules
from rushes.settings import Settings


def retention_rules(settings: Settings) -> RetentionRules:
    """Days, by status and place."""
    return RetentionRules(
        completed=settings.retain_completed_days,
        failed=settings.retain_failed_days,
        cancelled=settings.retain_cancelled_days,
        trash=settings.retain_trash_days,
        events=settings.retain_events_days,
    )
