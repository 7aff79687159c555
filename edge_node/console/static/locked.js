// This browser is locked, or nobody's: its other tabs must not go on showing what they show.
new BroadcastChannel("ventanilla").postMessage("locked");
