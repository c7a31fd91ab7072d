#!/bin/sh
# Which process of Weighbridge this container is: web, worker, bench, tick or migrate; or one question: health.
set -eu
case "${1:-}" in
  web)
    python manage.py collectstatic --noinput --verbosity 0
    exec gunicorn --config python:config.web.gunicorn config.wsgi --bind 0.0.0.0:8000 --workers "${WEB_WORKERS:-2}"
    ;;
  worker) exec celery -A config worker -Q effects,packets --loglevel INFO ;;
  bench)
    case "${HARDWARE:-cpu}" in
      cpu) exec celery -A config worker -Q bench.cpu --loglevel INFO ;;
      gpu) exec celery -A config worker -Q bench.gpu --loglevel INFO ;;
      *)
        echo "HARDWARE is cpu or gpu, not ${HARDWARE}" >&2
        exit 2
        ;;
    esac
    ;;
  tick) exec python manage.py tick --every "${TICK_EVERY_S:-2}" ;;
  migrate)
    python manage.py migrate --noinput
    exec python manage.py prepare
    ;;
  health) exec python /usr/local/lib/weighbridge/health.py ;;
  *)
    echo "usage: web | worker | bench | tick | migrate | health" >&2
    exit 2
    ;;
esac
