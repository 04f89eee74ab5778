"""What people are told, where and when. Pure: the adapters that tell it stand in `notify`."""
