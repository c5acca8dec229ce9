"""ModelRoutes of a namespace, and the one router that serves them: snapshot, decision, writes."""
