"""When an office closes, or has less room: the appointments that lost their place, moved or offered another one."""
