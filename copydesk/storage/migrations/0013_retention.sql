-- For how long inputs, superseded revisions and articles are kept.

alter table raw add column source text not null default '';
create index raw_kept on raw (source, stored_at);

alter table article_head add column expired_at timestamptz;
drop index article_head_changed;
create index article_head_kept on article_head (source, changed_at) where expired_at is null;

create index revision_later on revision (stored_at, article_id, number) where number > 1;

create index dead_letter_raw on dead_letter (raw_sha256) where resolution is null or resolution = 'asked';

alter table source_profile add column raw_days double precision;
alter table source_profile add column revision_days double precision;
alter table source_profile add column article_days double precision;

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
       r.details,
       h.cluster_id
  from article_head h
  join revision r on r.article_id = h.id and r.number = h.current_revision
 where h.withdrawn_at is null
   and h.expired_at is null
   and (r.embargo_until is null or r.embargo_until <= now());
