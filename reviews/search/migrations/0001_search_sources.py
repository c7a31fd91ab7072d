"""What is found by words: one function says what each kind of thing is found by, and triggers keep the entries like it.

Some words of a thing are in another table (the number of its authorization, the name of its model), so triggers on those
tables follow them, too. They run when a transaction commits, and one transaction at a time makes entries: so entries are
the last thing that it locks, and are made from what others have committed. A later migration that changes the type of a
column of a trigger, or drops it, drops the trigger first and creates it again.
"""

from django.db import migrations

SOURCES = r"""
CREATE FUNCTION search_source() RETURNS TABLE (kind text, object_id bigint, words text, tags text[], block bigint)
LANGUAGE sql STABLE AS $$
  SELECT 'request'::text AS kind, request.id AS object_id,
         concat_ws(E'\x1f', request.ref, request.title, request.purpose, model.name, authorized.number) AS words,
         ARRAY['#team:' || request.team_id, '#by:' || request.requester_id, '#owner:' || model.owner_id,
               '=' || version.digest] AS tags,
         request.id / 4096 AS block
    FROM requests_reviewrequest AS request
    JOIN inventory_modelversion AS version ON version.id = request.model_version_id
    JOIN inventory_modelasset AS model ON model.id = version.asset_id
    LEFT JOIN authorizations_decision AS decision ON decision.request_id = request.id
    LEFT JOIN authorizations_authorization AS authorized ON authorized.decision_id = decision.id
  UNION ALL
  SELECT 'model', model.id, concat_ws(E'\x1f', model.name, model.slug),
         ARRAY['#team:' || model.team_id, '#owner:' || model.owner_id] || ARRAY(
           SELECT DISTINCT '=' || version.digest FROM inventory_modelversion AS version WHERE version.asset_id = model.id
         ), 0::bigint
    FROM inventory_modelasset AS model
  UNION ALL
  SELECT 'run', run.id, model.name::text, ARRAY['#team:' || model.team_id], run.id / 4096
    FROM runs_run AS run
    JOIN inventory_modelversion AS version ON version.id = run.model_version_id
    JOIN inventory_modelasset AS model ON model.id = version.asset_id
  UNION ALL
  SELECT 'dataset', id, name::text,
         ARRAY['#team:' || team_id, '=' || digest] || CASE WHEN governed_at IS NULL THEN '{}' ELSE '{#governed}'::text[] END,
         id / 4096
    FROM runs_dataset
  UNION ALL
  SELECT 'finding', id, concat_ws(E'\x1f', subject, text), ARRAY['#owner:' || owner_id], id / 4096 FROM findings_finding
  UNION ALL
  SELECT 'change', id, description::text, '{}'::text[], id / 4096 FROM approvals_change
  UNION ALL
  SELECT 'bill', id, name::text, '{}'::text[], id / 4096 FROM bills_bill
  UNION ALL
  SELECT 'action', item.id, concat_ws(E'\x1f', item.ref, decision.rationale), ARRAY['#owner:' || item.owner_id],
         item.id / 4096
    FROM quarterly_actionitem AS item
    JOIN quarterly_meetingdecision AS decision ON decision.id = item.decision_id
  UNION ALL
  SELECT 'person', id::bigint, concat_ws(E'\x1f', username, first_name, last_name), '{}'::text[], 0::bigint FROM auth_user
$$;

CREATE FUNCTION search_entries() RETURNS TABLE (kind text, object_id bigint, words text, tags text[])
LANGUAGE sql STABLE AS $$
  SELECT kind, object_id, words, array_remove(tags, NULL) || ARRAY['#all', '#' || kind || '/' || block]
  FROM search_source()
$$;

-- The plan is kept while a connection is: one that was made while the tables were empty must suit full ones.
CREATE FUNCTION search_enter(entered text, ids bigint[]) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1936024419);
  INSERT INTO search_index_searchentry (kind, object_id, words, tags)
  SELECT * FROM search_entries() AS now
    WHERE now.kind = entered AND now.object_id = ANY (ids) AND NOT EXISTS (
      SELECT FROM search_index_searchentry AS entry
      WHERE entry.kind = entered AND entry.object_id = now.object_id AND (entry.words, entry.tags) = (now.words, now.tags)
    )
  ON CONFLICT (kind, object_id) DO UPDATE SET words = excluded.words, tags = excluded.tags;
END $$;

CREATE FUNCTION search_enter_all() RETURNS void LANGUAGE sql AS $$
  DELETE FROM search_index_searchentry;
  INSERT INTO search_index_searchentry (kind, object_id, words, tags) SELECT * FROM search_entries();
$$;

CREATE FUNCTION search_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM search_index_searchentry WHERE kind = TG_ARGV[0] AND object_id = OLD.id;
  ELSE
    PERFORM search_enter(TG_ARGV[0], ARRAY[NEW.id]);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION search_follow_authorization() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1936024419);
  PERFORM search_enter('request', ARRAY(SELECT request_id FROM authorizations_decision WHERE id = NEW.decision_id));
  RETURN NULL;
END $$;

CREATE FUNCTION search_follow_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM search_enter('model', ARRAY[NEW.asset_id]);
  RETURN NULL;
END $$;

CREATE FUNCTION search_follow_model() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  versions bigint[];
BEGIN
  PERFORM pg_advisory_xact_lock(1936024419);
  versions := ARRAY(SELECT id FROM inventory_modelversion WHERE asset_id = NEW.id);
  PERFORM search_enter('request', ARRAY(SELECT id FROM requests_reviewrequest WHERE model_version_id = ANY (versions)));
  IF (OLD.name, OLD.team_id) IS DISTINCT FROM (NEW.name, NEW.team_id) THEN
    PERFORM search_enter('run', ARRAY(SELECT id FROM runs_run WHERE model_version_id = ANY (versions)));
  END IF;
  RETURN NULL;
END $$;
"""
FOLLOWED = {
    "request": ("requests_reviewrequest", "ref, title, purpose, team_id, requester_id, model_version_id"),
    "model": ("inventory_modelasset", "name, slug, team_id, owner_id"),
    "run": ("runs_run", "model_version_id"),
    "dataset": ("runs_dataset", "name, digest, team_id, governed_at"),
    "finding": ("findings_finding", "subject, text, owner_id"),
    "change": ("approvals_change", "description"),
    "bill": ("bills_bill", "name"),
    "action": ("quarterly_actionitem", "ref, owner_id, decision_id"),
    "person": ("auth_user", "username, first_name, last_name"),
}
"""The table of each kind, and the columns that its words and tags are made from."""
OTHERS = """
CREATE CONSTRAINT TRIGGER search_follow_authorization AFTER INSERT OR UPDATE OF number, decision_id ON authorizations_authorization
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION search_follow_authorization();
CREATE CONSTRAINT TRIGGER search_follow_version AFTER INSERT OR UPDATE OF asset_id, digest ON inventory_modelversion
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION search_follow_version();
CREATE CONSTRAINT TRIGGER search_follow_model AFTER UPDATE OF name, team_id, owner_id ON inventory_modelasset
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.name, OLD.team_id, OLD.owner_id) IS DISTINCT FROM (NEW.name, NEW.team_id, NEW.owner_id))
  EXECUTE FUNCTION search_follow_model();
"""


def _follow(kind: str, table: str, columns: str) -> str:
    return f"""
CREATE CONSTRAINT TRIGGER search_follow AFTER INSERT OR DELETE OR UPDATE OF {columns} ON {table}
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION search_follow('{kind}');
"""


FOLLOW = OTHERS + "".join(_follow(kind, *what) for kind, what in FOLLOWED.items())
FORGET = (
    "".join(f"DROP TRIGGER search_follow ON {table};" for table, _ in FOLLOWED.values())
    + """
DROP TRIGGER search_follow_model ON inventory_modelasset;
DROP TRIGGER search_follow_version ON inventory_modelversion;
DROP TRIGGER search_follow_authorization ON authorizations_authorization;
DROP FUNCTION search_follow_model();
DROP FUNCTION search_follow_version();
DROP FUNCTION search_follow_authorization();
DROP FUNCTION search_follow();
DROP FUNCTION search_enter_all();
DROP FUNCTION search_enter(text, bigint[]);
DROP FUNCTION search_entries();
DROP FUNCTION search_source();
DELETE FROM search_index_searchentry;
"""
)


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('approvals', '0001_initial'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('authorizations', '0001_initial'),
        ('bills', '0001_initial'),
        ('findings', '0001_initial'),
        ('inventory', '0001_initial'),
        ('quarterly', '0001_initial'),
        ('requests', '0001_initial'),
        ('runs', '0001_initial'),
        ('search_index', '0001_initial'),
    ]

    operations = [
        migrations.RunSQL(SOURCES + FOLLOW, FORGET),
    ]
