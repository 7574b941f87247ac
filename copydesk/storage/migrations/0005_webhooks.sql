-- Tells other services of changes by HTTP.

create table webhook (
    id           bigint generated always as identity primary key,
    url          text not null unique,
    secret       text not null,
    events       text[] not null,
    source       text,
    enabled      boolean not null default true,
    position     bigint not null,
    due_at       timestamptz not null default now(),
    leased_until timestamptz,
    failures     integer not null default 0,
    last_error   text,
    delivered_at timestamptz,
    added_at     timestamptz not null default now()
);

create table webhook_log (
    id         bigint generated always as identity primary key,
    webhook_id bigint not null references webhook on delete cascade,
    called_at  timestamptz not null default now(),
    first      bigint not null,
    last       bigint not null,
    events     integer not null,
    status     integer,
    error      text,
    seconds    double precision not null
);
create index webhook_log_webhook on webhook_log (webhook_id, id);
