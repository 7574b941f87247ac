-- Where each index began to count, and the articles that a full Redis left unjudged.

alter table likeness_run add column number bigint not null default 0;

create index sketch_unjudged on sketch (document_id) where number is null and data is not null;
