-- Learns the lines that sources repeat, and keeps profiles of sources.

create table learnt_line (
    source     text not null,
    key        text not null,
    text       text not null,
    stories    integer not null,
    at_edge    integer not null,
    is_prose   boolean not null,
    is_undone  boolean not null default false,
    first_seen timestamptz not null default now(),
    last_seen  timestamptz not null default now(),
    primary key (source, key)
);
create index learnt_line_repeated on learnt_line (source) where stories > 1;

create table source_profile (
    name           text primary key,
    toml           text,
    learns         boolean not null default true,
    fewest_stories integer check (fewest_stories > 1),
    updated_at     timestamptz not null default now()
);
