"""Microsoft Graph v1.0 as its clients see it: calendars, subscriptions, online meetings."""
