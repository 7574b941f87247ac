-- Numbers changes after their commit, so that a reader who remembers a number misses none.

alter table article_head add column position bigint;
create index article_head_source on article_head (source, id);
create index article_head_position on article_head (position);

alter table outbox add column position bigint;
create unique index outbox_position on outbox (position);
create index outbox_unnumbered on outbox (id) where position is null;
