-- Dead letters can be replayed and discarded.

alter table dead_letter
    add column context json,
    add column resolution text check (resolution in ('asked', 'replayed', 'discarded', 'impossible')),
    add column note text,
    add column replay_id text,
    add column resolved_at timestamptz;
create index dead_letter_open on dead_letter (id) where resolution is null;
create index dead_letter_asked on dead_letter (id) where resolution = 'asked';
