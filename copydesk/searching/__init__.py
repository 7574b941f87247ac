"""Finding words in articles: what is indexed of a text, what a query asks for, what of a text it met. Pure."""
