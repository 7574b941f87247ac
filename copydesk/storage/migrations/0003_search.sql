-- Finds words in articles.

create table reader (
    name     text primary key,
    position bigint not null default 0,
    moved_at timestamptz not null default now()
);

create table article_text (
    article_id    uuid primary key references article_head on delete cascade,
    revision      integer not null,
    configuration text not null,
    words         tsvector not null
);
create index article_text_words on article_text using gin (words);
create index article_text_configuration on article_text (configuration);
