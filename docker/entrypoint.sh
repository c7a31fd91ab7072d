#!/bin/sh
# Which process of Weighbridge this container is: web, worker, packets, batch, bench, tick or migrate; or one question: health.
set -eu
case "${1:-}" in
  web)
    python manage.py collectstatic --noinput --verbosity 0
    exec gunicorn --config python:config.web.gunicorn config.wsgi --bind 0.0.0.0:8000 --workers "${WEB_WORKERS:-2}"
    ;;
  worker) exec celery -A config worker -Q effects --loglevel INFO ;;
  packets) exec celery -A config worker -Q packets --loglevel INFO ;;
  batch) exec celery -A config worker -Q bills,load --loglevel INFO ;;
  bench)
    # Production settings need a secret key; this process signs nothing with it, so it gets one of its own.
    WEIGHBRIDGE_SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(60))')"
    export WEIGHBRIDGE_SECRET_KEY
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
    python manage.py bench_role
    exec python manage.py prepare
    ;;
  health) exec python /usr/local/lib/weighbridge/health.py ;;
  *)
    echo "usage: web | worker | packets | batch | bench | tick | migrate | health" >&2
    exit 2
    ;;
esac
