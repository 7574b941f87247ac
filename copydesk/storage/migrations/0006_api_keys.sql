-- Keys of the HTTP door.

create table api_key (
    id          text primary key,
    name        text not null,
    secret_hash text not null,
    scopes      text[] not null,
    per_minute  integer check (per_minute > 0),
    created_at  timestamptz not null default now(),
    expires_at  timestamptz,
    revoked_at  timestamptz
);
