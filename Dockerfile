FROM python:3.13-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PATH=/opt/cxhub/.venv/bin:$PATH
WORKDIR /opt/cxhub
COPY requirements.txt ./
RUN python -m venv .venv && pip install --disable-pip-version-check --require-hashes -r requirements.txt
COPY manage.py ./
COPY cxhub cxhub
COPY customers customers
COPY channels channels
ENV CXHUB_STATIC=/opt/cxhub/static
RUN mkdir static && CXHUB_SECRET_KEY=only-for-collecting-files-while-the-image-is-made CXHUB_VAR=/tmp/collecting \
    python manage.py collectstatic --no-input --verbosity 0 && rm -rf /tmp/collecting
RUN useradd --system --uid 10001 --home-dir /var/lib/cxhub --create-home cxhub
ENV CXHUB_VAR=/var/lib/cxhub
USER 10001
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--respawn-failed-workers", "--blocking-threads", "8", "cxhub.wsgi:application"]
