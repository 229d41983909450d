# flexid in a container: the wheel is built in the first stage and installed into a virtual environment, which the
# second stage takes over. Where it keeps its database is for FLEXID_DATABASE_URL to say; see docs/installing.md.
FROM python:3.11-slim-bookworm AS build
COPY . /src
RUN python -m venv /opt/flexid \
 && /opt/flexid/bin/pip wheel --quiet --no-deps --wheel-dir /wheels /src
# Afterwards Twisted notes its plugins, where the user that serves may not write.
RUN /opt/flexid/bin/pip install --quiet --no-cache-dir /wheels/flexid-*.whl \
 && /opt/flexid/bin/python -c "from twisted.plugin import IPlugin, getPlugins; list(getPlugins(IPlugin))" \
 && /opt/flexid/bin/pip uninstall --quiet --yes pip setuptools

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="flexid" \
      org.opencontainers.image.description="Account manager for SIP operators, beside a Flexisip server" \
      org.opencontainers.image.licenses="AGPL-3.0-or-later"
RUN useradd --system --uid 4660 --home-dir /var/lib/flexid --create-home --shell /usr/sbin/nologin flexid
COPY --from=build /opt/flexid /opt/flexid
ENV PATH=/opt/flexid/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    FLEXID_DATA_DIR=/var/lib/flexid \
    FLEXID_LISTEN_HTTP=tcp:8080
USER 4660
WORKDIR /var/lib/flexid
VOLUME /var/lib/flexid
EXPOSE 8080
# `docker stop` waits ten seconds unless told otherwise, flexid finishes requests for thirty.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/health/ready', timeout=4)"]
ENTRYPOINT ["flexid"]
CMD ["run"]
