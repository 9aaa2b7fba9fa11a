"""What happened, to whom: identities, links, the timeline. Imports nothing of ours."""
