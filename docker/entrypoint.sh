#!/bin/sh
# Which process of Weighbridge this container is: web, worker, tick or migrate.
set -eu
case "${1:-}" in
  web)
    python manage.py collectstatic --noinput
    exec gunicorn governance.project.wsgi --bind 0.0.0.0:8000 --workers "${WEB_WORKERS:-2}" --timeout 120
    ;;
  worker) exec celery -A governance.project worker -Q "${QUEUES:-effects,bench.cpu}" --concurrency "${CONCURRENCY:-2}" ;;
  tick) exec python manage.py tick ;;
  migrate) exec python manage.py migrate --noinput ;;
  *)
    echo "usage: web | worker | tick | migrate" >&2
    exit 2
    ;;
esac
