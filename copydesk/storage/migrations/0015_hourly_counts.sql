-- Counts by the hour.

create index receipt_recorded on receipt using brin (recorded_at) with (pages_per_range = 32, autosummarize = on);
