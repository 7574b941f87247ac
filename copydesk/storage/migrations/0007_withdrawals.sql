-- Keeps embargoed and withdrawn articles out of sight, and what senders state beside the text.

alter table article_head add column withdrawn_at timestamptz, add column withdrawn_reason text;

alter table revision
    add column version text,
    add column embargo_until timestamptz,
    add column details jsonb not null default '{}';

create table withdrawal (
    kind        text not null,
    value       text not null,
    is_final    boolean not null,
    version     text,
    reason      text not null,
    received_at timestamptz not null,
    primary key (kind, value)
);

alter table outbox add column due_at timestamptz not null default now();

create or replace view article as
select h.id,
       h.source,
       r.number        as revision,
       r.publisher,
       r.language,
       r.title,
       r.section,
       r.published_at,
       r.published_text,
       r.zone_unknown,
       r.updated_text,
       r.authors,
       r.credits,
       r.dateline,
       array_to_string(r.body, E'\n\n') as text,
       r.body,
       r.rights,
       r.captions,
       r.corrections,
       (select coalesce(jsonb_agg(p order by n), '[]')
          from jsonb_array_elements(r.pieces) with ordinality as e(p, n)
         where p->>'kind' not in ('title', 'body')) as removed,
       r.pieces,
       r.format,
       r.url,
       r.guid,
       r.name,
       r.encoding,
       r.warnings,
       r.meta,
       r.raw_sha256,
       r.rules_version,
       r.received_at,
       h.stored_at,
       h.changed_at,
       r.version,
       r.embargo_until,
       r.details
  from article_head h
  join revision r on r.article_id = h.id and r.number = h.current_revision
 where h.withdrawn_at is null
   and (r.embargo_until is null or r.embargo_until <= now());
