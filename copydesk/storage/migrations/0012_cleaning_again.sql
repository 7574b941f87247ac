-- Keeps what senders said of their inputs, so that these can be cleaned again.

alter table revision add column hints json;
