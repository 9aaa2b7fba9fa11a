"""How Celery runs: a task says only that there is work, so it may be lost, doubled or late."""

from celery.schedules import crontab

from cxhub.environment import env_secret
from cxhub.options import CXHUB_VAR

REDIS_URL = env_secret("REDIS_URL")

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # It loops; the attempts counter of the deliveries replaces it.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # KiB
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Whoever is in the middle of a drain ends it, or his lease would hold up to 500 events for 20 seconds.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
CELERY_BEAT_SCHEDULE = {
    "drain": {"task": "channels.tasks.drain", "schedule": 30.0, "options": {"expires": 25}},
    "heartbeat": {"task": "channels.tasks.heartbeat", "schedule": 30.0, "options": {"expires": 300}},
    "media": {"task": "channels.tasks.fetch_media", "schedule": 10.0, "options": {"expires": 9}},
    "verify": {"task": "channels.tasks.verify_identity", "schedule": crontab(hour="3", minute="17")},
    "retain": {
        "task": "channels.tasks.retain",
        "schedule": crontab(hour="0-4", minute="*/10"),
        "options": {"expires": 500},
    },
    "prune": {"task": "channels.tasks.prune", "schedule": 3600.0, "options": {"expires": 3000}},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(CXHUB_VAR / "beat-schedule")
CELERY_TIMEZONE = "UTC"
