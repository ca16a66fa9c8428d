/** A short soft tone that rises, made on the spot; where the browser lets nothing sound yet it stays quiet. */
export function chime(): void {
  try {
    const context = new AudioContext();
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.setValueAtTime(880, 0.1);
    volume.gain.setValueAtTime(0.08, 0);
    volume.gain.exponentialRampToValueAtTime(0.001, 0.4);
    tone.connect(volume).connect(context.destination);
    tone.start();
    tone.stop(0.5);
    tone.onended = () => context.close();
  } catch {}
}
