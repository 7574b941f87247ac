-- Articles that an operator deletes: their texts go, a tombstone stays.

create table deletion (
    article_id uuid primary key references article_head,
    reason     text not null,
    deleted_by text not null,
    deleted_at timestamptz not null default now(),
    lifted_at  timestamptz,
    lifted_by  text
);

create index revision_raw on revision using hash (raw_sha256);
