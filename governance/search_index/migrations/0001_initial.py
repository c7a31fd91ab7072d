"""The table of words that are searched, and its index of parts of words.

`pg_trgm` is not in every PostgreSQL, so two functions make the parts. The index has no pending list, which each search
would read as a whole.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

PARTS = """
CREATE FUNCTION search_parts(phrase text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT array_agg(DISTINCT substr(folded, place, 3))
  FROM (SELECT upper(phrase) AS folded) AS written, generate_series(1, greatest(length(folded) - 2, 1)) AS place
$$;

CREATE FUNCTION search_terms(words text, tags text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10000
AS $$
DECLARE
  terms text[] := tags;
  character text;
  last text := '';
  before_last text := '';
BEGIN
  FOREACH character IN ARRAY string_to_array(upper(words), NULL) LOOP
    terms := terms || ARRAY[character, last || character, before_last || last || character];
    before_last := last;
    last := character;
  END LOOP;
  RETURN terms;
END $$;

CREATE INDEX search_by_parts ON search_index_searchentry USING gin (search_terms(words, tags))
  WITH (fastupdate = off);
"""
FORGET = """
DROP INDEX search_by_parts;
DROP FUNCTION search_terms(text, text[]);
DROP FUNCTION search_parts(text);
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='SearchEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=12)),
                ('object_id', models.BigIntegerField()),
                ('words', models.TextField()),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'object_id'), name='one_search_entry_each')],
            },
        ),
        migrations.RunSQL(PARTS, FORGET),
    ]
