"""The rules that decide a customer's segment on a date."""

from crm_utils.config.scoring import Scoring
from crm_utils.config.segment_map import SegmentMap
from crm_utils.config.yaml_models import Model


class SegmentRules(Model):
    """How the customers of a report were assigned to segments.

    Parameters
    ----------
    scoring : Scoring
        How they were scored.
    segment_map : SegmentMap
        Which segment each cell belongs to.
    new_within_days : int, optional
        A customer whose first order was within so many days is new. None turns this rule off.
    """

    scoring: Scoring
    segment_map: SegmentMap
    new_within_days: int | None = None

    def assigns_like(self, other: "SegmentRules") -> bool:
        """Whether both rules use the same segments; titles, meanings and advice may differ."""
        return self.new_within_days == other.new_within_days and self.segment_map.assigns_like(other.segment_map)
