"""Extensions, and the text search of Russian, English and Lithuanian text with its numbers."""

from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension, UnaccentExtension
from django.db import migrations

# The Russian configuration stems words of ASCII letters as English; Lithuanian gets one of its own.
CONFIGURATIONS = """
CREATE TEXT SEARCH CONFIGURATION cxhub_ru (COPY = pg_catalog.russian);
ALTER TEXT SEARCH CONFIGURATION cxhub_ru ALTER MAPPING FOR hword, hword_part, word WITH unaccent, russian_stem;
CREATE TEXT SEARCH CONFIGURATION cxhub_lt (COPY = pg_catalog.lithuanian);
ALTER TEXT SEARCH CONFIGURATION cxhub_lt
    ALTER MAPPING FOR asciihword, asciiword, hword, hword_asciipart, hword_part, word WITH unaccent, lithuanian_stem;
"""

# Order numbers and phone numbers as one lexeme each, without separators: `AB-12345` is n:ab12345 and n:12345,
# and a phone number is also found by its last ten digits, whatever trunk prefix was written.
NUMBERS = r"""
CREATE FUNCTION cxhub_numbers(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT 'n:' || token), '{}') FROM (
        SELECT lower(regexp_replace(m[1], '[^[:alnum:]]', '', 'g')) AS token
          FROM regexp_matches(words, '([[:alnum:]]+(?:[-_/.][[:alnum:]]+)*)', 'g') AS m WHERE m[1] ~ '\d'
        UNION ALL
        SELECT m[1] FROM regexp_matches(words, '(\d{3,})', 'g') AS m
        UNION ALL
        SELECT right(regexp_replace(m[1], '\D', '', 'g'), 10)
          FROM regexp_matches(words, '(\+?\d[\d ().\u00a0-]{7,20}\d)', 'g') AS m
         WHERE length(regexp_replace(m[1], '\D', '', 'g')) >= 10
    ) tokens WHERE length(token) BETWEEN 2 AND 64
$$;
"""

# A line of 200 kB is found by its beginning; a tsvector may not exceed 1 MB.
VECTOR = r"""
CREATE FUNCTION cxhub_vector(subject text, body text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000 AS $$
DECLARE
    words text := CASE WHEN subject = '' THEN body WHEN body = '' THEN subject ELSE subject || E'\n' || body END;
    vector tsvector;
BEGIN
    IF octet_length(words) > 200000 THEN words := left(words, 50000); END IF;
    vector := to_tsvector('public.cxhub_ru', words);
    IF words ~ '[A-Za-z]' THEN vector := vector || to_tsvector('public.cxhub_lt', words); END IF;
    IF words ~ '\d' THEN vector := vector || array_to_tsvector(public.cxhub_numbers(words)); END IF;
    RETURN vector;
END $$;
"""

# Words as people type them; a query of digits and separators alone is a number.
QUERY = r"""
CREATE FUNCTION cxhub_query(words text) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    bare text := regexp_replace(words, '[^[:alnum:]]', '', 'g');
    wanted tsquery;
BEGIN
    IF words ~ '^[\s\d().+-]+$' AND length(bare) >= 2 THEN
        RETURN ('''n:' || CASE WHEN length(bare) >= 10 THEN right(bare, 10) ELSE bare END || '''')::tsquery;
    END IF;
    wanted := websearch_to_tsquery('public.cxhub_ru', words) || websearch_to_tsquery('public.cxhub_lt', words);
    IF words !~ '\s' AND words ~ '\d' AND length(bare) BETWEEN 2 AND 64 THEN
        wanted := wanted || ('''n:' || lower(bare) || '''')::tsquery;
    END IF;
    RETURN wanted;
END $$;
"""

UNDO = """
DROP FUNCTION cxhub_query(text); DROP FUNCTION cxhub_vector(text, text); DROP FUNCTION cxhub_numbers(text);
DROP TEXT SEARCH CONFIGURATION cxhub_lt; DROP TEXT SEARCH CONFIGURATION cxhub_ru;
"""


class Migration(migrations.Migration):
    initial = True
    operations = [
        TrigramExtension(),
        BtreeGinExtension(),
        UnaccentExtension(),
        migrations.RunSQL(CONFIGURATIONS + NUMBERS + VECTOR + QUERY, UNDO),
    ]
