"""The field side: one engine a channel, all behind `master.base.Channel`."""
