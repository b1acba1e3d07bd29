from hypothesis import HealthCheck, settings

# Nothing is asserted on seconds: a loaded machine makes no test fail.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
