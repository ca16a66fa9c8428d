from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_face")]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="trial_ends_at",
            field=models.DateTimeField(blank=True, help_text="Later than usual, given by staff.", null=True),
        ),
    ]
