"""What the fleet's care keeps: recommendations, differences, quotas and schedules."""
